"""Slow proofs that measure: `make bench` runs them and writes docs/performance.md.

Belongs here: measuring, and the page of what was measured. Does not: assertions about right and wrong (the other folders).
"""
