"""Annotation formats: brat, Label Studio, doccano, INCEpTION, CoNLL, spaCy, DyGIE, SpERT, offsets and tables."""

from datasets_scripts.annotation_formats.conversion import (
    Converted,
    annotated_documents,
    convert,
    convert_out,
    load_annotations,
    read_report,
)
from datasets_scripts.annotation_formats.documents import AnnotatedDocument, Entity, Relation
from datasets_scripts.annotation_formats.registry import FORMATS_IN, FORMATS_OUT, recognise
from datasets_scripts.annotation_formats.report import ConversionReport
from datasets_scripts.annotation_formats.sources import FormatError

__all__ = [
    "FORMATS_IN",
    "FORMATS_OUT",
    "AnnotatedDocument",
    "ConversionReport",
    "Converted",
    "Entity",
    "FormatError",
    "Relation",
    "annotated_documents",
    "convert",
    "convert_out",
    "load_annotations",
    "read_report",
    "recognise",
]
