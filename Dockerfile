# The bot with its model: no torch, no compiler, not root, nothing fetched when it starts.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /venv
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY core core
COPY storage storage
COPY slackbot slackbot
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .

FROM python:3.11-slim
RUN useradd --system --user-group --uid 10001 --home-dir /data --shell /usr/sbin/nologin autoticket \
    && install -d -o autoticket -g autoticket -m 0700 /data /models \
    && ln -s /app/models/default /models/default
COPY --from=build /venv /venv
COPY models/default /app/models/default
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AUTOTICKET_HOST=0.0.0.0 \
    AUTOTICKET_PORT=3000 \
    AUTOTICKET_MODEL_DIR=/models/default \
    AUTOTICKET_DATABASE_URL=sqlite+aiosqlite:////data/autoticket.db
USER 10001:10001
WORKDIR /data
# What the model learns is written beside that link; the bundle itself comes with each image.
VOLUME /data /models
EXPOSE 3000
# Alive, not ready: a bot that waits for Slack must not be killed for it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['AUTOTICKET_PORT'] + '/healthz', timeout=4)"]
CMD ["autoticket", "run"]
