"""Policies: loaded once, compiled once, evaluated purely."""
