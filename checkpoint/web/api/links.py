"""What one call's answer is good for in the next: the OpenAPI links of the document that we serve (OpenAPI 3.1, 4.8.20)."""

from typing import Any

Json = dict[str, Any]

_V1 = "/api/v1"


def _to(method: str, path: str, words: str, *, body: Json | None = None, **parameters: str) -> Json:
    operation = f"{method}_{_V1}{path}".replace("/", "_")
    made: Json = {"operationId": operation, "description": words}
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = body
    return made


_DECLARED = {
    "scanThePass": _to("post", "/scans", "The pass at the barrier.", body={"token": "$response.body#/pass/token"}),
    "readIt": _to("get", "/registrations/{registration_id}", "The record.", registration_id="$response.body#/id"),
}
_SCANNED = {
    "decide": _to("post", "/scans/{scan_id}/decision", "What the officer did.", scan_id="$response.body#/scan_id"),
    "testOnTheSpot": _to("post", "/gate/tests", "A test at the barrier.", body={"scan_id": "$response.body#/scan_id"}),
    "compareTheDocument": _to(
        "post", "/gate/documents", "The document in hand.", body={"scan_id": "$response.body#/scan_id"}
    ),
}
_FIRST_ALERT = "$response.body#/alerts/0/id"
_ALERT = {
    "acknowledge": _to("post", "/alerts/{alert_id}/acknowledge", "Take it on.", alert_id="$response.body#/id"),
    "resolve": _to("post", "/alerts/{alert_id}/resolve", "Close it with a result.", alert_id="$response.body#/id"),
    "readIt": _to("get", "/alerts/{alert_id}", "As it stands now.", alert_id="$response.body#/id"),
}
_LIST = {
    "publish": _to("post", "/risk-lists/{list_id}/publish", "Put it in force.", list_id="$response.body#/id"),
    "withdraw": _to("post", "/risk-lists/{list_id}/withdraw", "Undo what it caused.", list_id="$response.body#/id"),
}
_VEHICLE = {
    "readIt": _to("get", "/gate/vehicles/{vehicle_id}", "Who sits in it.", vehicle_id="$response.body#/vehicle_id"),
    "scanIntoIt": _to("post", "/scans", "One more passenger.", body={"vehicle_id": "$response.body#/vehicle_id"}),
}
LINKS: dict[tuple[str, str], Json] = {
    ("post", "/registrations"): _DECLARED,
    ("post", "/gate/registrations"): _DECLARED,
    ("post", "/scans"): _SCANNED,
    ("get", "/alerts"): {
        "goOn": _to("get", "/alerts", "What came after.", after="$response.body#/next"),
        "acknowledge": _to("post", "/alerts/{alert_id}/acknowledge", "Take the first on.", alert_id=_FIRST_ALERT),
        "resolve": _to("post", "/alerts/{alert_id}/resolve", "Close the first.", alert_id=_FIRST_ALERT),
        "readIt": _to("get", "/alerts/{alert_id}", "The first alone.", alert_id=_FIRST_ALERT),
    },
    ("get", "/alerts/{alert_id}"): _ALERT,
    ("post", "/alerts/{alert_id}/acknowledge"): _ALERT,
    ("post", "/alerts/{alert_id}/resolve"): _ALERT,
    ("post", "/gate/shifts"): {
        "end": _to("post", "/gate/shifts/{shift_id}/end", "Sign out.", shift_id="$response.body#/shift_id"),
        "scanOnDuty": _to("post", "/scans", "A scan of this shift.", body={"shift_id": "$response.body#/shift_id"}),
    },
    ("post", "/gate/vehicles"): _VEHICLE,
    ("post", "/risk-lists"): _LIST,
    ("post", "/risk-lists/{list_id}/publish"): _LIST,
}
"""By method and path below /api/v1, what follows a success."""


def add_links(paths: Json) -> None:
    """Put the links into every answer of success of the calls that they follow."""
    for (method, path), links in LINKS.items():
        for status, answer in paths[_V1 + path][method]["responses"].items():
            if status in ("200", "201"):
                answer["links"] = links
