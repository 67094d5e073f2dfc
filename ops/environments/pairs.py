"""Two environments, compared, and one merged into the other: what command, API and console do alike."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from prompts.comparing import Comparison, compare_databases
from prompts.merge_results import MergeResult
from prompts.merging import merge_prompts
from prompts.models import User
from prompts.three_way import Side

from .base import Provider
from .details import Detail, Labels, Place, read_details, read_labels, read_page
from .opening import opened


@dataclass(frozen=True)
class Pair:
    """Two environments by name, each open under an alias of its own."""

    left: str
    right: str
    left_alias: str
    right_alias: str

    def compare(self, names: Collection[str] | None = None) -> Comparison:
        """All prompts, or those of these names. Raises ``MergeProblem``."""
        return compare_databases(
            self.left_alias, self.right_alias, names, left_name=self.left, right_name=self.right
        )

    def read_details(self, places: Sequence[Place]) -> Iterator[Detail]:
        """Prompts that differ, in full, one after the other."""
        return read_details(places, self.left_alias, self.right_alias)

    def read_page(self, places: Sequence[Place], length: int | None) -> list[tuple[Place, Detail, bool]]:
        """As many of them as a page has, and whether their contents are there; see :func:`read_page`."""
        return read_page(places, self.left_alias, self.right_alias, length)

    def read_labels(self, places: Sequence[Place]) -> tuple[Labels, Labels]:
        """Which version each label stands at, by prompt, on both sides."""
        return read_labels(places, self.left_alias, self.right_alias)

    def merge(
        self,
        names: Collection[str] | None = None,
        *,
        resolve: Side | None = None,
        author: User | None = None,
        dry_run: bool = False,
        message: str = "",
    ) -> MergeResult:
        """Bring prompts of the left one over to the right one; raises what :func:`merge_prompts` does."""
        return merge_prompts(
            self.left_alias,
            self.right_alias,
            names=names,
            resolve=resolve,
            author=author,
            dry_run=dry_run,
            message=message,
            source_name=self.left,
            target_name=self.right,
        )


@contextmanager
def opened_pair(provider: Provider, left: str, right: str) -> Iterator[Pair]:
    """Both are known to exist before either is opened."""
    provider.get(left)
    provider.get(right)
    with opened(provider, left) as left_alias, opened(provider, right) as right_alias:
        yield Pair(left, right, left_alias, right_alias)
