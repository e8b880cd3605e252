"""SMQ queues for ``MessageQueueTrigger(scheme="alibaba+smq")`` of the provider common-messaging."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

from airflow_cloudtasks.assets.smq_message import SmqMessageTrigger

if find_spec("airflow.providers.common.messaging") is None:
    raise AirflowOptionalProviderFeatureException(
        "Message queues need the provider common-messaging: pip install 'airflow-provider-cloudtasks[messaging]'."
    )

from airflow.providers.common.messaging.providers.base_provider import BaseMessageQueueProvider

if TYPE_CHECKING:
    from airflow.triggers.base import BaseEventTrigger


class SmqMessageQueueProvider(BaseMessageQueueProvider):
    """Make the scheme ``alibaba+smq`` known to ``MessageQueueTrigger``, which passes its other arguments on.

    They are those of :class:`~airflow_cloudtasks.assets.smq_message.SmqMessageTrigger`.
    """

    scheme = "alibaba+smq"

    def trigger_class(self) -> type[BaseEventTrigger]:
        """Return the class of the triggers."""
        return SmqMessageTrigger
