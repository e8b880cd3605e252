"""The token services of both clouds: AssumeRole in its forms, and GetCallerIdentity.

Sources: Alibaba Cloud, STS 2015-04-01, the documents and error codes of AssumeRole, AssumeRoleWithOIDC and
GetCallerIdentity (https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-errorcodes); Tencent Cloud, STS
2018-08-13, the definitions and examples that tccli ships and the error codes that its SDK lists. Neither documents the
refusal of a wrong external id: the codes here are those for a role that does not trust the caller.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.sts import account_number, open_session, user_number
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.product import Product
from airflow_cloudtasks.emulator.vendor.contract import Parameter
from airflow_cloudtasks.emulator.vendor.wire import VendorError, is_json_object

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.keys import Session
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_ALIBABA_DEFAULT_SECONDS = 3600
_ALIBABA_SECONDS = range(900, 43_200 + 1)
_TENCENT_DEFAULT_SECONDS = 7200
_TENCENT_MAX_SECONDS = 43_200
_ALIBABA_SESSION_NAME = re.compile(r"[a-zA-Z0-9.@\-_]{2,64}")
_TENCENT_SESSION_NAME = re.compile(r"[\w+=,.@\-]{2,128}", re.ASCII)

_NO_TRUST = "You are not authorized to do this action. You should be authorized by RAM."


ALIBABA_STS = Product("alibaba", "sts", "2015-04-01", ("query", "form"))
TENCENT_STS = Product("tencent", "sts", "2018-08-13", ("json", "query"))


def _assume_role_alibaba(call: Call) -> JsonObject:
    session = _alibaba_session(call)
    if call.state.sts.external_id not in (None, call.parameters.get("ExternalId")):
        raise VendorError("NoPermission", _NO_TRUST, 403)
    return _alibaba_credentials(call, session)


def _assume_role_with_oidc(call: Call) -> JsonObject:
    session = _alibaba_session(call)
    if call.state.sts.oidc_token not in (None, call.parameters["OIDCToken"]):
        text = "OIDC token validate failed: invalid signature."
        raise VendorError("AuthenticationFail.OIDCToken.InvalidSignature", text, 401)
    return _alibaba_credentials(call, session)


def _caller_identity_alibaba(call: Call) -> JsonObject:
    key = call.caller
    account = account_number("alibaba", key)
    if key.session is None:
        user = user_number("alibaba", key)
        return {
            "IdentityType": "RAMUser",
            "AccountId": account,
            "PrincipalId": user,
            "UserId": user,
            "Arn": f"acs:ram::{account}:user/{key.id}",
        }
    session = key.session
    return {
        "IdentityType": "AssumedRoleUser",
        "AccountId": account,
        "PrincipalId": f"{session.role_id}:{session.name}",
        "RoleId": session.role_id,
        "Arn": f"acs:ram::{account}:assumed-role/{session.role_name}/{session.name}",
    }


def _alibaba_session(call: Call) -> Session:
    sent = call.parameters
    session = _open_session("alibaba", call)
    if session is None:
        raise VendorError("InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
    if not _ALIBABA_SESSION_NAME.fullmatch(sent["RoleSessionName"]):
        raise VendorError("InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
    asked = sent.get("DurationSeconds", str(_ALIBABA_DEFAULT_SECONDS))
    if not re.fullmatch(r"[0-9]{1,9}", asked) or int(asked) not in _ALIBABA_SECONDS:
        text = "The Min/Max value of DurationSeconds is 15min/12hr."
        raise VendorError("InvalidParameter.DurationSeconds", text)
    if "Policy" in sent and not is_json_object(sent["Policy"]):
        raise VendorError("InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check.")
    if not _exists(call, session):
        raise VendorError("EntityNotExist.Role", "The specified Role not exists.", 404)
    return session


def _alibaba_credentials(call: Call, session: Session) -> JsonObject:
    asked = int(call.parameters.get("DurationSeconds", _ALIBABA_DEFAULT_SECONDS))
    issued = call.state.issue_key(session, asked)
    return {
        "Credentials": {
            "AccessKeyId": issued.key.id,
            "AccessKeySecret": issued.key.secret,
            "SecurityToken": issued.key.token,
            "Expiration": iso_utc(issued.stated_expiry),
        },
        "AssumedRoleUser": {
            "Arn": f"{session.role_arn}/{session.name}",
            "AssumedRoleId": f"{session.role_id}:{session.name}",
        },
    }


def _assume_role_tencent(call: Call) -> JsonObject:
    session = _tencent_session(call)
    if call.state.sts.external_id not in (None, call.parameters.get("ExternalId")):
        raise VendorError("UnauthorizedOperation", "You are not authorized to perform the operation sts:AssumeRole.")
    return _tencent_credentials(call, session)


def _assume_role_with_web_identity(call: Call) -> JsonObject:
    session = _tencent_session(call)
    token = call.parameters["WebIdentityToken"]
    if not token or call.state.sts.oidc_token not in (None, token):
        raise VendorError("InvalidParameter.WebIdentityTokenError", "The parameter `WebIdentityToken` is invalid.")
    return _tencent_credentials(call, session)


def _caller_identity_tencent(call: Call) -> JsonObject:
    key = call.caller
    account = account_number("tencent", key)
    if key.session is None:
        user = user_number("tencent", key)
        return {
            "Type": "CAMUser",
            "AccountId": account,
            "UserId": user,
            "PrincipalId": user,
            "Arn": f"qcs::cam:{account}:uin/{user}",
        }
    session = key.session
    return {
        "Type": "CAMRole",
        "AccountId": account,
        "UserId": f"{session.role_id}:{session.name}",
        "PrincipalId": session.principal,
        "Arn": f"qcs::sts:{account}:assumed-role/{session.role_id}",
    }


def _tencent_session(call: Call) -> Session:
    session = _open_session("tencent", call)
    if session is None:
        raise VendorError("InvalidParameter.ParamError", "The parameter `RoleArn` is not valid.")
    if not _TENCENT_SESSION_NAME.fullmatch(session.name):
        raise VendorError("InvalidParameter.ParamError", "The parameter `RoleSessionName` is not valid.")
    asked = call.parameters.get("DurationSeconds", _TENCENT_DEFAULT_SECONDS)
    if not 0 < asked <= _TENCENT_MAX_SECONDS:
        text = f"The parameter `DurationSeconds` exceeds {_TENCENT_MAX_SECONDS} seconds or is not above 0."
        raise VendorError("InvalidParameter.OverTimeError", text)
    if not _exists(call, session):
        raise VendorError("ResourceNotFound.RoleNotFound", "The role does not exist.")
    return session


def _tencent_credentials(call: Call, session: Session) -> JsonObject:
    issued = call.state.issue_key(session, call.parameters.get("DurationSeconds", _TENCENT_DEFAULT_SECONDS))
    return {
        "Credentials": {
            "Token": issued.key.token,
            "TmpSecretId": issued.key.id,
            "TmpSecretKey": issued.key.secret,
        },
        "ExpiredTime": issued.stated_expiry,
        "Expiration": iso_utc(issued.stated_expiry),
    }


def _open_session(cloud: Cloud, call: Call) -> Session | None:
    sent = call.parameters
    return open_session(cloud, sent["RoleArn"], sent["RoleSessionName"], account_number(cloud, call.caller))


def _exists(call: Call, session: Session) -> bool:
    return call.state.sts.roles is None or session.role_arn in call.state.sts.roles


_TAG = TENCENT_STS.required("Key", "Value")
_DURATION = Parameter("DurationSeconds", TENCENT_STS.locations, required=False, type="integer")

ALIBABA_STS.action(
    "sts.assume_role",
    "AssumeRole",
    _assume_role_alibaba,
    (
        *ALIBABA_STS.required("RoleArn", "RoleSessionName"),
        *ALIBABA_STS.optional("DurationSeconds", "Policy", "ExternalId", "SourceIdentity"),
    ),
    methods=("GET", "POST"),
)
ALIBABA_STS.action(
    "sts.assume_role_with_oidc",
    "AssumeRoleWithOIDC",
    _assume_role_with_oidc,
    (
        *ALIBABA_STS.required("OIDCProviderArn", "RoleArn"),
        Parameter("OIDCToken", ALIBABA_STS.locations, secret=True),
        *ALIBABA_STS.required("RoleSessionName"),
        *ALIBABA_STS.optional("DurationSeconds", "Policy"),
    ),
    methods=("GET", "POST"),
    signed=False,
)
ALIBABA_STS.action("sts.get_caller_identity", "GetCallerIdentity", _caller_identity_alibaba, methods=("GET", "POST"))
TENCENT_STS.action(
    "sts.assume_role",
    "AssumeRole",
    _assume_role_tencent,
    (
        *TENCENT_STS.required("RoleArn", "RoleSessionName"),
        _DURATION,
        *TENCENT_STS.optional("Policy", "ExternalId"),
        Parameter("Tags", TENCENT_STS.locations, required=False, type="array", items="object", members=_TAG),
        *TENCENT_STS.optional("SourceIdentity", "SerialNumber"),
        Parameter("TokenCode", TENCENT_STS.locations, required=False, secret=True),
    ),
)
TENCENT_STS.action(
    "sts.assume_role_with_web_identity",
    "AssumeRoleWithWebIdentity",
    _assume_role_with_web_identity,
    (
        *TENCENT_STS.required("ProviderId"),
        Parameter("WebIdentityToken", TENCENT_STS.locations, secret=True),
        *TENCENT_STS.required("RoleArn", "RoleSessionName"),
        _DURATION,
    ),
    signed=False,
)
TENCENT_STS.action("sts.get_caller_identity", "GetCallerIdentity", _caller_identity_tencent)
