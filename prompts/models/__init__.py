from .api_key import ApiKey, Scope
from .dataset import Dataset, DatasetItem
from .embedding import PromptEmbedding
from .epoch import RegistryEpoch
from .evaluation import Evaluation
from .fields import PromptFields
from .label import LATEST, Evidence, LabelMove, LabelPolicy, PromptLabel
from .login_lock import LoginLock
from .prompt import Kind, Prompt, Status
from .run import EvaluationRun, RunOutput, RunStatus
from .split import LabelSplit, SplitSubject
from .trace_score import TraceScore
from .user import User
from .version import PromptVersion
from .versioned import VERSIONED, Payload, TemplateFormat

__all__ = [
    "LATEST",
    "VERSIONED",
    "ApiKey",
    "Dataset",
    "DatasetItem",
    "Evaluation",
    "EvaluationRun",
    "Evidence",
    "Kind",
    "LabelMove",
    "LabelPolicy",
    "LabelSplit",
    "LoginLock",
    "Payload",
    "Prompt",
    "PromptEmbedding",
    "PromptFields",
    "PromptLabel",
    "PromptVersion",
    "RegistryEpoch",
    "RunOutput",
    "RunStatus",
    "Scope",
    "SplitSubject",
    "Status",
    "TemplateFormat",
    "TraceScore",
    "User",
]
