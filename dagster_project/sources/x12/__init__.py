"""X12 interchanges (837, 835, 834, 271, 277CA, 999): from bytes to segments, and from segments to rows of the feeds.

Belongs here: what the standard says of separators, envelopes and loops. Does not: what a feed's columns mean (contracts).
"""
