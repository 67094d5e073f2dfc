"""The arguments of `manage.py secure_env`: one subcommand for each thing that it does."""

import argparse

from django.core.management.base import CommandParser

EXAMPLES = """
examples:
  secure_env encrypt --key-file ~/.config/afn/env-key      make a key, and .env.enc of .env
  export AFN_ENV_KEY_FILE=~/.config/afn/env-key
  secure_env encrypt --remove-plain
  EDITOR=nano manage.py secure_env edit
  secure_env rotate
"""


def add_actions(parser: CommandParser) -> None:
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do; each explains itself with --help"
    )

    def action(name: str, help: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=help, description=help)

    encrypt = action("encrypt", "Make .env.enc of .env; where there is no key yet, an option makes one.")
    _add_places(encrypt, "where the key is, or a new one goes")
    encrypt.add_argument("--force", action="store_true", help="replace a .env.enc that says something else")
    encrypt.add_argument("--remove-plain", action="store_true", help="remove .env once .env.enc has opened")
    decrypt = action("decrypt", "Write what .env.enc holds to .env, readable by you alone.")
    decrypt.add_argument("--force", action="store_true", help="replace a .env that says something else")
    decrypt.add_argument(
        "--remove-encrypted", action="store_true", help="remove .env.enc, so that .env is what is read"
    )
    edit = action(
        "edit", "Change the variables in $VISUAL or $EDITOR; the text is checked before it is kept."
    )
    edit.add_argument("--force", action="store_true", help="keep the text whatever the check says")
    rotate = action("rotate", "Encrypt .env.enc with a new key.")
    _add_places(rotate, "where the key is that takes the place of the one in use, or a new one goes")
    status = action("status", "Tell which file is read, with which key, and the names of its variables.")
    status.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_places(parser: argparse.ArgumentParser, what: str) -> None:
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--key-file", metavar="PATH", help=f"{what}: a file (default: as the environment says)"
    )
    place.add_argument("--keyring", action="store_true", help=f"{what}: the operating system's keyring")
