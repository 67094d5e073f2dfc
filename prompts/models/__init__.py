from .api_key import ApiKey, Scope
from .embedding import PromptEmbedding
from .epoch import RegistryEpoch
from .evaluation import Evaluation
from .fields import PromptFields
from .label import LATEST, Evidence, LabelMove, LabelPolicy, PromptLabel
from .prompt import Kind, Prompt, Status
from .trace_score import TraceScore
from .user import User
from .version import PromptVersion
from .versioned import VERSIONED, Payload, TemplateFormat

__all__ = [
    "LATEST",
    "VERSIONED",
    "ApiKey",
    "Evaluation",
    "Evidence",
    "Kind",
    "LabelMove",
    "LabelPolicy",
    "Payload",
    "Prompt",
    "PromptEmbedding",
    "PromptFields",
    "PromptLabel",
    "PromptVersion",
    "RegistryEpoch",
    "Scope",
    "Status",
    "TemplateFormat",
    "TraceScore",
    "User",
]
