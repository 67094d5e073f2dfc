"""A wrong setting is named at start, with what to do."""

import pytest

from vectors.checks import check_settings

OPENAI = {"AFN_EMBEDDER": "openai", "OPENAI_API_KEY": "sk-x"}


def ids() -> list[str]:
    return [message.id for message in check_settings()]


def test_good_settings_pass(settings):
    settings.AFN_EMBEDDER = "wordllama"
    settings.VECTOR_METRIC, settings.VECTOR_DIMENSION, settings.VECTOR_INDEX_TYPE = "cosine", None, "auto"
    assert ids() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"AFN_EMBEDDER": "word2vec"}, ["vectors.E001"]),
        ({"AFN_EMBEDDER": "sentence-transformers"}, ["vectors.E002"]),
        ({"AFN_EMBEDDER": "openai", "OPENAI_API_KEY": ""}, ["vectors.E003"]),
        ({"AFN_EMBEDDER": "openai", "OPENAI_API_KEY": "sk-x"}, []),
        ({**OPENAI, "OPENAI_BASE_URL": "http://localhost:11434/v1"}, ["vectors.E008"]),
        ({**OPENAI, "OPENAI_BASE_URL": "https://10.1.2.3/v1"}, ["vectors.E008"]),
        ({**OPENAI, "OPENAI_BASE_URL": "https://sk:secret@api.example.org/v1"}, ["vectors.E008"]),
        ({**OPENAI, "OPENAI_BASE_URL": "https://api.example.org/v1"}, []),
        (
            {
                **OPENAI,
                "OPENAI_BASE_URL": "http://localhost:11434/v1",
                "AFN_OUTGOING_ALLOWED": ["localhost:11434"],
            },
            [],
        ),
        ({"VECTOR_METRIC": "dot"}, ["vectors.E004"]),
        ({"VECTOR_METRIC": "l2"}, []),
        ({"VECTOR_DIMENSION": 0}, ["vectors.E005"]),
        ({"VECTOR_DIMENSION": "many"}, ["vectors.E005"]),
        ({"AFN_EMBEDDERS": {"fake": "nowhere.Fake"}}, ["vectors.E006"]),
        ({"VECTOR_INDEX_TYPE": "hnsw"}, ["vectors.E007"]),
        ({"AFN_EMBEDDER": "wordllama", "VECTOR_DIMENSION": 1536}, ["vectors.W001"]),
    ],
)
def test_it_names_the_setting(settings, changes, expected):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ids() == expected


def test_every_message_says_what_to_do_and_hides_the_key(settings):
    settings.AFN_EMBEDDER, settings.VECTOR_METRIC = "nothing", "dot"
    settings.OPENAI_API_KEY = "sk-secret"
    messages = check_settings()
    assert all(message.hint for message in messages)
    assert "sk-secret" not in str(messages)
    assert "wordllama" in messages[0].hint


def test_a_service_within_the_network_is_named_with_the_entry_that_allows_it(settings):
    settings.AFN_EMBEDDER, settings.OPENAI_API_KEY = "openai", "sk-x"
    settings.OPENAI_BASE_URL = "http://localhost:11434/v1"
    [message] = check_settings()
    assert "AFN_OUTGOING_ALLOWED=localhost:11434" in message.hint
