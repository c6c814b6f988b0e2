"""Extraction over millions of documents: shards that are written whole, runs that resume, on a machine or a cluster."""

from modeling_spert.bulk.readers import Columns
from modeling_spert.bulk.run import BulkArguments, Progress, Summary, extract_in_bulk

__all__ = ["BulkArguments", "Columns", "Progress", "Summary", "extract_in_bulk"]
