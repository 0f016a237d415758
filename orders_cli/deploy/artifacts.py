"""What a deployment leaves in AWS before its stacks: artifact bucket, code and layer."""

import hashlib
import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

_DIGEST_CHARACTERS = 32


def artifact_bucket(application: str, account: str, region: str) -> str:
    """The name of the bucket for code and layer; no bucket of another account has it."""
    return f"{application}-artifacts-{account}-{region}"


def make_bucket(s3: "S3Client", bucket: str, *, region: str, partition: str, account: str) -> None:
    """Make the bucket if it is missing: versioned, private, encrypted, TLS only."""
    if not _bucket_is_there(s3, bucket, account):
        if region == "us-east-1":
            s3.create_bucket(Bucket=bucket)
        else:
            s3.create_bucket(
                Bucket=bucket,
                CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]
            )
    # All again where it is there: a run that was killed in between may have left some out.
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    statement = {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def store_archive(s3: "S3Client", bucket: str, name: str, content: bytes) -> str:
    """Store an archive under a key of its contents, so that equal code is an equal key."""
    key = f"{name}-{_digest(content)}.zip"
    if not _object_is_there(s3, bucket, key):
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def find_layer(lambdas: "LambdaClient", name: str, content: bytes) -> str | None:
    """The published version that has these contents."""
    pages = lambdas.get_paginator("list_layer_versions").paginate(LayerName=name)
    for page in pages:
        for version in page.get("LayerVersions", []):
            if version.get("Description") == _digest(content):
                return version["LayerVersionArn"]
    return None


def publish_layer(
    lambdas: "LambdaClient", name: str, content: bytes, *, bucket: str, key: str, python: str
) -> str:
    """Publish a version of the layer, described by the digest of its contents."""
    made = lambdas.publish_layer_version(
        LayerName=name,
        Description=_digest(content),
        Content={"S3Bucket": bucket, "S3Key": key},
        CompatibleRuntimes=[f"python{python}"],  # type: ignore[list-item]
    )
    return made["LayerVersionArn"]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]


def _bucket_is_there(s3: "S3Client", bucket: str, account: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if _is_missing(error):
            return False
        raise
    return True


def _object_is_there(s3: "S3Client", bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _is_missing(error):
            return False
        raise
    return True


def _is_missing(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in {"404", "NoSuchBucket", "NoSuchKey"}
