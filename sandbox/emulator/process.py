"""ministack's environment variables, which it reads when it is imported."""

import os

from sandbox.settings import HOST, SandboxSettings


def prepare_environment(settings: SandboxSettings) -> None:
    """Set what ministack and the Lambda workers it starts read; call it before importing ministack.

    A person's own AWS profile and endpoints are taken out, so that nothing here can reach a real account.
    """
    for name in [name for name in os.environ if name.startswith(("AWS_", "LOCALSTACK_", "MINISTACK_"))]:
        del os.environ[name]
    os.environ |= {
        "AUTH": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(settings.port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": settings.region,
        "MINISTACK_ACCOUNT_ID": settings.account_id,
        "LOG_LEVEL": "WARNING",
        "SFN_WAIT_SCALE": str(settings.time_scale),
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # What a Lambda worker's boto3 sees: this endpoint and no instance metadata or files of the person.
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
