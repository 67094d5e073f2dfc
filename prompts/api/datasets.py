"""Datasets: items that versions are tried on."""

from typing import Any

from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from ninja.responses import Status as Answer

from vectors.api_parts import locate
from vectors.permissions import needs
from vectors.schemas import Paging

from ..errors import NotThere
from ..evaluating import datasets
from ..models import Dataset, DatasetItem
from . import dataset_schemas as schemas
from .lookup import actor, page
from .values import DatasetName, ItemText

router = Router(tags=["evaluations"])
_DATASET = "/datasets/{name}"


@router.get("/datasets", response={200: schemas.DatasetPage})
def list_datasets(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """All datasets, by name."""
    return page(Dataset.objects.annotate(count=Count("items")), paging)


@router.post("/datasets", response={201: schemas.DatasetOut})
@needs("prompts.add_dataset")
def create_dataset(
    request: HttpRequest, payload: schemas.DatasetIn, response: HttpResponse
) -> Answer[Dataset]:
    """Make an empty dataset."""
    dataset = Dataset(**payload.model_dump(), user=actor(request))
    dataset.full_clean()
    dataset.save()
    locate(request, response, dataset.name)
    return Answer(201, _dataset(dataset.name))


@router.get(_DATASET, response={200: schemas.DatasetOut})
def get_dataset(request: HttpRequest, name: Path[DatasetName]) -> Dataset:
    """One dataset with its number of items."""
    return _dataset(name)


@router.delete(_DATASET, response={204: None})
@needs("prompts.delete_dataset")
def delete_dataset(request: HttpRequest, name: Path[DatasetName]) -> Answer[None]:
    """Delete it with its items and its runs; evaluations of these runs go, too."""
    _dataset(name).delete()
    return Answer(204, None)


@router.get(
    _DATASET + "/items",
    summary="List Dataset Items",
    response={200: schemas.DatasetItemPage},
)
def list_items(request: HttpRequest, name: Path[DatasetName], paging: Query[Paging]) -> dict[str, Any]:
    """Its items, by key."""
    return page(DatasetItem.objects.filter(dataset=_dataset(name)), paging)


@router.put(
    _DATASET + "/items",
    summary="Put Dataset Items",
    response={200: schemas.DatasetItemsOut},
)
@needs("prompts.change_dataset")
def put_items(
    request: HttpRequest, name: Path[DatasetName], payload: schemas.DatasetItemsIn
) -> dict[str, int]:
    """Insert or replace up to 1,000 items by `key`, all or none."""
    with transaction.atomic():  # nobody deletes the dataset in between
        return datasets.put_items(_dataset(name), [one.model_dump() for one in payload.items])


@router.delete(_DATASET + "/items/{path:key}", summary="Delete Dataset Item", response={204: None})
@needs("prompts.change_dataset")
def delete_item(request: HttpRequest, name: Path[DatasetName], key: Path[ItemText]) -> Answer[None]:
    """Delete an item; evaluations on it stay."""
    if not datasets.delete_item(_dataset(name), key):
        raise NotThere("key", f"an item of {name}", repr(key[:100]))
    return Answer(204, None)


def _dataset(name: str) -> Dataset:
    dataset = Dataset.objects.annotate(count=Count("items")).filter(name=name).first()
    if dataset is None:
        raise NotThere("dataset", "the name of a dataset", repr(name[:128]))
    return dataset
