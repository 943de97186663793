"""What happens to an identity: keyed tokens, ages and areas made coarse.

Belongs here: the key, how a token is made, which areas are too small to name.
Does not: which column is an identity (contracts say), reading files (sources/).
"""
