from .api_key import ApiKey, Scope
from .embedding import PromptEmbedding
from .evaluation import Evaluation
from .prompt import Prompt, PromptVersion, Status
from .user import User

__all__ = [
    "ApiKey",
    "Evaluation",
    "Prompt",
    "PromptEmbedding",
    "PromptVersion",
    "Scope",
    "Status",
    "User",
]
