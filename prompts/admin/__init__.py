"""The console: Django's admin in django-unfold's clothes, with a search page and a diff of versions."""

from django.contrib import admin

from vectors.admin import CollectionAdmin

from ..indexing import COLLECTION
from . import (  # noqa: F401 - they register themselves
    api_keys,
    datasets,
    evaluations,
    labels,
    login_locks,
    prompts,
    runs,
    users,
    versions,
)
from .login import LoginForm
from .naming import NAMING

admin.site.login_form = LoginForm
admin.site.index_title = "Dashboard"
CollectionAdmin.protected.add(COLLECTION)
CollectionAdmin.namings[COLLECTION] = NAMING
