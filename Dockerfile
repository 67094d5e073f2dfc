# AFN's image: web, worker, beat and one-off commands differ in their command alone.

FROM python:3.13.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# wordllama has no wheel for arm64 and is compiled there; all else comes as wheels.
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
COPY requirements.txt /build/
RUN /opt/venv/bin/pip install --prefer-binary --requirement /build/requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.13.14-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --gid 10001 afn \
    && useradd --uid 10001 --gid afn --home-dir /tmp --no-create-home --shell /usr/sbin/nologin afn
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY . .
# The key is used for nothing but this one command. Volumes take over the owners of the folders they lie on.
RUN AFN_DATABASE_FILE=:memory: SECRET_KEY=of-collectstatic-only python manage.py collectstatic --noinput \
    && python -m compileall -q afn_project ops prompts vectors \
    && chmod -R a+rX . \
    && install --directory --owner afn --group afn --mode 0700 var var/keys var/backups \
    && install --directory --owner afn --group afn --mode 0755 /public
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "deploy/web_health.py"]
CMD ["granian", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "4", "--respawn-failed-workers", "--workers-kill-timeout", "30", \
     "afn_project.wsgi:application"]
