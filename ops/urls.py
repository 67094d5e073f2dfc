from django.urls import path

from . import views

urlpatterns = [
    path("health/live", views.live),
    path("health/ready", views.ready),
    path("health/database", views.database),
    path("metrics", views.metrics),
    # Only where the server speaks WSGI: by ASGI they never get here (docs/realtime.md).
    path("ws", views.streams),
    path("events", views.streams),
]
