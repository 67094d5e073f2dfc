from .api_key import ApiKey, Scope
from .embedding import PromptEmbedding
from .evaluation import Evaluation
from .fields import PromptFields
from .prompt import Prompt, PromptVersion, Status
from .user import User

__all__ = [
    "ApiKey",
    "Evaluation",
    "Prompt",
    "PromptEmbedding",
    "PromptFields",
    "PromptVersion",
    "Scope",
    "Status",
    "User",
]
