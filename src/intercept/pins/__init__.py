"""Definitions that a person has reviewed, and what became of them since (DESIGN section 7).

definitions   what of a definition counts, as digests that no change of spelling alters
lock          the lock file: reading and writing it
changes       two lock files compared, for people
watch         one session: which tools and prompts are still what was reviewed
"""
