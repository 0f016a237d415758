# The consumer: worker (PID 1), KCL's Java daemon, a shard process for each leased shard.
FROM debian:trixie-slim AS build

# Debian removes a version from its archive when it puts a fixed one there: a pinned one would soon
# be neither to be had nor wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates openjdk-21-jdk-headless python3 python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin

# A Java of the modules that the daemon may need: a third of Debian's own, and patched with it. Its
# authorities are Debian's as well, which jlink leaves behind as a link.
RUN jlink --add-modules java.se,jdk.crypto.ec,jdk.naming.dns,jdk.unsupported --output /opt/java \
        --compress zip-6 --strip-java-debug-attributes --no-header-files --no-man-pages \
    && cp --dereference --remove-destination /etc/ssl/certs/java/cacerts /opt/java/lib/security/cacerts

WORKDIR /build
RUN python3 -m venv --without-pip /opt/orders
COPY requirements-build.txt requirements-consumer.txt ./
# KCL's jars come from Maven Central while amazon-kclpy is built; a mirror may stand in.
ARG KCL_MVN_REPO_SEARCH_URL
RUN pip --python /opt/orders/bin/python install --no-cache-dir --no-compile --no-deps \
        --require-hashes --requirement requirements-build.txt \
    && pip --python /opt/orders/bin/python install --no-cache-dir --no-compile --no-deps \
        --no-build-isolation --use-pep517 --require-hashes --requirement requirements-consumer.txt \
    && pip --python /opt/orders/bin/python uninstall --yes packaging setuptools uv wheel

# The jars are fetched without checksums: here they are checked, or there is no image.
COPY jars.sha256 ./
COPY tools/jars.py ./tools/
RUN /opt/orders/bin/python -m tools.jars

COPY orders/ /opt/orders/app/orders/
COPY ledger/ /opt/orders/app/ledger/
COPY consumer/ /opt/orders/app/consumer/
COPY properties/ /opt/orders/app/properties/
# The image's file system is read-only where it runs, so nothing can be compiled there.
RUN /opt/orders/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/orders


FROM debian:trixie-slim

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin \
    && groupadd --system --gid 10001 orders \
    && useradd --system --uid 10001 --gid orders --home-dir /nonexistent --shell /usr/sbin/nologin \
        orders

COPY --from=build /opt/java /opt/java
COPY --from=build /opt/orders /opt/orders
ENV PATH="/opt/orders/bin:/opt/java/bin:${PATH}"
WORKDIR /opt/orders/app
# The daemon's classes, ready for its start: for this very Java, so not in the stage above.
RUN /opt/orders/bin/python -B -m consumer.kcl.class_archive

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Paced Orders: consumer" \
    org.opencontainers.image.description="Sends orders from a Kinesis stream to a rate-limited API" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}"

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# The one place that is written to: rendered properties, the shard processes' counters. It keeps its
# mode (anybody may write) where a volume is laid over it.
VOLUME ["/tmp"]
USER 10001:10001
EXPOSE 9464

# A new application may wait 150 s for a leader lock that a killed daemon left behind.
HEALTHCHECK --interval=30s --timeout=10s --start-period=300s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + (os.environ.get('ORDERS_METRICS_PORT') or '9464') + '/healthz', timeout=8)"]

ENTRYPOINT ["python3", "-m", "consumer"]
