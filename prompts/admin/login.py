from typing import Any

from unfold.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Expected the user name or e-mail and the password of a staff account. "
        "Both fields may be case-sensitive.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["username"]
        field.label = "Username or e-mail"
        field.max_length = field.widget.attrs["maxlength"] = 254  # that of an e-mail address
