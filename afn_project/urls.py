from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from ops.home.pages import live
from prompts.admin.look import favicon
from prompts.admin.search import judge_page, search_page

from .api import api
from .langfuse_api import api as langfuse_api

handler500 = "afn_project.database_errors.server_error"
urlpatterns = [
    re_path("^api(/v1)?/?$", RedirectView.as_view(url="/api/v1/docs")),
    path("api/v1/", api.urls),  # first, for it is asked most
    path("api/public/", langfuse_api.urls),
    path("", RedirectView.as_view(url="/admin/", permanent=False)),
    path("favicon.ico", favicon),
    # Before unfold's page of the same address, which `admin:search` therefore leads to.
    path("admin/search/", admin.site.admin_view(search_page)),
    path("admin/search/judgement/", admin.site.admin_view(judge_page), name="judge_result"),
    path("admin/home/", live, name="home_live"),
    path("admin/language/", set_language, name="set_language"),  # by this name unfold's menu finds it
    path("admin/", admin.site.urls),
    path("", include("ops.urls")),
]
