"""How the OpenAPI document is made (read by drf-spectacular)."""

from typing import Any

SPECTACULAR: dict[str, Any] = {
    "TITLE": "BrainOps",
    "DESCRIPTION": "Workflow automation: workflows, runs, triggers, webhooks.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1/automation",
    "SCHEMA_PATH_PREFIX_INSERT": "",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    # names for choices that several bodies call "status", "role", …: "RunStatusEnum": "path.to.choices"
    "ENUM_NAME_OVERRIDES": {
        "Role": "brainops.accounts.models.Role",
        "RunStatus": "automation.api.run_schema.RUN_STATUSES",
        "StepStatus": "automation.api.run_schema.STEP_STATUSES",
        "VerdictEnum": ["accepted", "rejected", "acknowledged", "buffered"],  # of a webhook's delivery
        "ApprovalVerdict": "automation.api.approval_shape.VERDICTS",
        "KindEffect": ["pure", "read", "create", "update", "delete", "send"],
        "OutsideEffect": ["read", "create", "update", "delete", "send"],
        "WriteEffect": ["create", "update", "delete", "send"],
        "BulkFate": ["done", "unchanged", "not_found", "refused", "withheld"],
        "RunMode": ["asynchronous", "synchronous", "test"],
        "DryRunMode": ["dry_run"],
        "FiringDecision": "automation.api.firings.DECISIONS",
        "ArrivalDecision": "automation.api.arrivals.DECISIONS",
        "EventDeliveryState": "automation.models.EventDeliveryState",
        "DeliveryShapeStateEnum": "automation.models.DeliveryState",  # of notices and of subscriptions
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "brainops.core.api.schema.any_value_may_be_null",
        "brainops.core.api.parameter_words.describe_parameters",
        "brainops.core.api.recorded.put_recorded_examples",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
