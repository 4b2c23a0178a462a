"""A policy-enforcing proxy between one MCP client and one stdio MCP server."""

__version__ = "0.1.0"
