"""The demo corpus: sentences about invented people and places, written by this project and composed by a generator."""

from datasets_scripts.demo.corpus import EXAMPLE_TEXTS, generate_demo_corpus, write_demo_corpus

__all__ = ["EXAMPLE_TEXTS", "generate_demo_corpus", "write_demo_corpus"]
