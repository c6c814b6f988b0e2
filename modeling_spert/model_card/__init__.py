"""The model card of a trained model, made from its folder alone."""

from modeling_spert.model_card.build import CARD_FILE, CardOptions, add_card, build_card, write_card

__all__ = ["CARD_FILE", "CardOptions", "add_card", "build_card", "write_card"]
