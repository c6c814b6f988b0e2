"""SpERT for the Hugging Face Hub: span-based joint entity and relation extraction.

Importing the package registers the configuration, the model and `pipeline("joint-extraction")` with transformers, so
that SpERT models load without `trust_remote_code`.
"""

from transformers import AutoConfig, AutoModel
from transformers.pipelines import PIPELINE_REGISTRY

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.decoding_spert import Entity, Extraction, Relation
from modeling_spert.modeling_spert import SpertModel, SpertOutput, SpertPreTrainedModel
from modeling_spert.pipeline_spert import JointExtractionPipeline
from modeling_spert.version import __version__

__all__ = [
    "Entity",
    "Extraction",
    "JointExtractionPipeline",
    "Relation",
    "SpertConfig",
    "SpertModel",
    "SpertOutput",
    "SpertPreTrainedModel",
    "__version__",
]

AutoConfig.register(SpertConfig.model_type, SpertConfig, exist_ok=True)
AutoModel.register(SpertConfig, SpertModel, exist_ok=True)
if "joint-extraction" not in PIPELINE_REGISTRY.get_supported_tasks():
    PIPELINE_REGISTRY.register_pipeline(
        "joint-extraction", pipeline_class=JointExtractionPipeline, pt_model=AutoModel, type="text"
    )
