"""ECR: the repository of the consumer's image, its login, and the digest of a tag."""

import base64
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from orders_cli.deploy.image import Registry
from orders_cli.failures import CommandFailed


class ImageRepository:
    """One repository, made if it is missing: tags are immutable, and images are scanned."""

    def __init__(self, ecr: Any, name: str) -> None:  # noqa: ANN401 - the stubs leave ECR out
        self._ecr = ecr
        self._name = name
        found = self._found()
        self.arn = str(found["repositoryArn"])
        self.uri = str(found["repositoryUri"])

    def registry(self) -> Registry:
        """The login for a push. Raises CommandFailed."""
        listed = self._ecr.get_authorization_token()["authorizationData"]
        if not listed:
            raise CommandFailed("ECR gives no login.")
        user, _, password = (
            base64.b64decode(listed[0]["authorizationToken"]).decode().partition(":")
        )
        host = urlsplit(listed[0]["proxyEndpoint"]).netloc
        return Registry(host, user, password)

    def by_digest(self, tag: str) -> str | None:
        """The image of this tag, by digest; None if it was not pushed yet."""
        try:
            found = self._ecr.describe_images(
                repositoryName=self._name, imageIds=[{"imageTag": tag}]
            )["imageDetails"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ImageNotFoundException":
                return None
            raise
        return f"{self.uri}@{found[0]['imageDigest']}" if found else None

    def _found(self) -> dict[str, Any]:
        try:
            listed = self._ecr.describe_repositories(repositoryNames=[self._name])
            return dict(listed["repositories"][0])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "RepositoryNotFoundException":
                raise
        made = self._ecr.create_repository(
            repositoryName=self._name,
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
        )
        return dict(made["repository"])
