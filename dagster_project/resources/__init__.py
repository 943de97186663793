"""Thin typed shells around the libraries, for assets and for the command line.

Belongs here: the resource that assets take, how dbt is called, how a run is started and watched, what checks answer.
Does not: what an asset is (defs/), how a file is read (sources/), how marts are published (publication/).
"""
