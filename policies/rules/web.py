"""Web App and Functions: how they are reached, deployed, debugged and identified."""

from policies.frameworks import CIS
from policies.rule import rule

_APPS = ("azure-native:web:WebApp", "azure-native:web:WebAppSlot")
_PLAN = "azure-native:web:AppServicePlan"

https = rule(
    "TRB-WEB-001",
    "The app speaks HTTPS only",
    on=_APPS,
    severity="high",
    topic="encryption",
    why="Over HTTP everyone on the way reads along.",
    fix="Set https_only=True.",
    passes={"httpsOnly": True},
    breaks={"httpsOnly": False},
    checkov="CKV_AZURE_14 CKV_AZURE_70",
    psrule="Azure.AppService.UseHTTPS",
    azure_policy="a4af4a39 6d555dd1",
    controls={CIS: ["9.1"]},
    demand=lambda app: app["httpsOnly"].is_true,
)

tls = rule(
    "TRB-WEB-002",
    "The app accepts TLS 1.2 or newer only",
    on=_APPS,
    severity="high",
    topic="encryption",
    why="Older versions have known attacks.",
    fix='Set site_config.min_tls_version="1.2".',
    passes={"siteConfig": {"minTlsVersion": "1.2"}},
    breaks={"siteConfig.minTlsVersion": "1.0"},
    remedy={"siteConfig": {"minTlsVersion": "1.2"}},
    checkov="CKV_AZURE_15 CKV_AZURE_145",
    psrule="Azure.AppService.MinTLS",
    azure_policy="f0e6e85b",
    controls={CIS: ["9.4"]},
    demand=lambda app: app["siteConfig.minTlsVersion"].one_of("1.2", "1.3"),
)

no_ftp = rule(
    "TRB-WEB-003",
    "Nothing is deployed over plain FTP",
    on=_APPS,
    severity="high",
    topic="identity",
    why="FTP sends code and password in the clear.",
    fix='Set site_config.ftps_state="Disabled"; leave it out on Flex Consumption, which has no FTP and refuses that.',
    passes={"siteConfig": {"ftpsState": "Disabled"}},
    breaks={"siteConfig.ftpsState": "AllAllowed"},
    checkov="CKV_AZURE_78",
    psrule="Azure.AppService.WebSecureFtp",
    azure_policy="4d24b6d4",
    controls={CIS: ["9.3"]},
    # Flex Consumption is told by functionAppConfig, which no other plan takes; TRB-AZURE-168.
    demand=lambda app: (
        app["siteConfig.ftpsState"].one_of("Disabled", "FtpsOnly")
        | (app["siteConfig.ftpsState"].absent & app["functionAppConfig"].present)
    ),
)

no_basic_auth = rule(
    "TRB-WEB-004",
    "Nobody deploys with a publishing password",
    on=("azure-native:web:WebAppFtpAllowed", "azure-native:web:WebAppScmAllowed"),
    severity="high",
    topic="identity",
    why="The publishing profile is one password for everyone.",
    fix="Set allow=False.",
    passes={"allow": False},
    breaks={"allow": True},
    azure_policy="871b205b aede300b",
    demand=lambda policy: policy["allow"].is_false,
)

no_remote_debugging = rule(
    "TRB-WEB-005",
    "Remote debugging is off",
    on=_APPS,
    severity="high",
    topic="hardening",
    why="A debugger reads every secret in memory.",
    fix="Set site_config.remote_debugging_enabled=False.",
    passes={"siteConfig": {"remoteDebuggingEnabled": False}},
    breaks={"siteConfig.remoteDebuggingEnabled": True},
    defaults={"siteConfig.remoteDebuggingEnabled": False},
    checkov="CKV_AZURE_72",
    psrule="Azure.AppService.RemoteDebug",
    azure_policy="cb510bfd",
    controls={CIS: ["9.12"]},
    demand=lambda app: app["siteConfig.remoteDebuggingEnabled"].is_false,
)

managed_identity = rule(
    "TRB-WEB-006",
    "The app has a managed identity",
    on=_APPS,
    severity="medium",
    topic="identity",
    why="Without one it needs passwords.",
    fix="Set identity with type UserAssigned or SystemAssigned.",
    passes={"identity": {"type": "UserAssigned"}},
    breaks={"identity.type": "None"},
    checkov="CKV_AZURE_71",
    psrule="Azure.AppService.ManagedIdentity",
    azure_policy="2b9ad585",
    demand=lambda app: app["identity.type"].matches("(System|User)Assigned(, ?(System|User)Assigned)?"),
)

narrow_cors = rule(
    "TRB-WEB-007",
    "CORS names the origins that it lets in",
    on=_APPS,
    severity="high",
    topic="exposure",
    why="With a star, any page that a user visits calls the app as him.",
    fix="List origins in site_config.cors.allowed_origins.",
    passes={"siteConfig": {"cors": {"allowedOrigins": ["https://app.example"]}}},
    breaks={"siteConfig.cors.allowedOrigins": ["*"]},
    absent_passes="siteConfig.cors.allowedOrigins",
    checkov="CKV_AZURE_57",
    demand=lambda app: app["siteConfig.cors.allowedOrigins"].every(lambda origin: origin.none_of("*")),
)

public_off = rule(
    "TRB-WEB-008",
    "The app is not reachable from the internet, but through the edge",
    on=_APPS,
    severity="medium",
    topic="private networking",
    why="Past the edge there is no firewall that stops the common attacks.",
    fix='Set public_network_access="Disabled" and add a private endpoint.',
    passes={"publicNetworkAccess": "Disabled"},
    breaks={"publicNetworkAccess": "Enabled"},
    checkov="CKV_AZURE_222",
    checkov_terraform="CKV_AZURE_221",
    demand=lambda app: app["publicNetworkAccess"] == "Disabled",
)

health_check = rule(
    "TRB-WEB-009",
    "Azure probes the health of an app that does not scale by events",
    on=_APPS,
    severity="low",
    topic="availability",
    why="An instance that does not answer is taken out only when somebody asks it. Functions' plans ask by themselves.",
    fix="Set site_config.health_check_path.",
    passes={"siteConfig": {"healthCheckPath": "/healthz/ready"}},
    breaks={"siteConfig.healthCheckPath": ""},
    checkov="CKV_AZURE_213",
    psrule="Azure.AppService.WebProbe",
    # learn.microsoft.com/azure/app-service/monitor-instances-health-check, "Limitations": not for plans of Functions,
    # which probe their instances themselves to scale.
    demand=lambda app: (
        app["siteConfig.healthCheckPath"].present | app["kind"].or_default("app").matches("functionapp.*")
    ),
)

instances = rule(
    "TRB-WEB-010",
    "A plan has two instances or more, or grows by itself",
    on=_PLAN,
    severity="medium",
    topic="availability",
    why="Every update of the platform would be an outage.",
    fix="Set sku.capacity to 2 or more; Consumption (Y1, FC1) and elastic (EP) plans grow by themselves.",
    passes={"sku": {"name": "P1v3", "capacity": 2}},
    breaks={"sku.capacity": 1},
    checkov="CKV_AZURE_212",
    psrule="Azure.AppService.PlanInstanceCount",
    demand=lambda plan: plan["sku.capacity"].at_least(2) | plan["sku.name"].or_default("").matches("Y1|FC1|EP[1-3]"),
)

client_certificates = rule(
    "TRB-WEB-011",
    "An app asks its callers for a certificate, unless browsers or Entra call it",
    on=_APPS,
    severity="low",
    topic="identity",
    why="A service that only our own call should not even answer the hello of others.",
    fix="Set client_cert_enabled=True, or name the app in the setting `open` when people's browsers or Entra call it.",
    passes={"name": "app-reports", "clientCertEnabled": True},
    breaks={"clientCertEnabled": False},
    # The website is opened by browsers; Entra asks the functions for claims, Event Grid hands them events.
    settings={"open": [r"app-app-.*", r"func-events-.*"]},
    checkov_terraform="CKV_AZURE_17",
    demand=lambda app: (
        app["clientCertEnabled"].is_true | app["name"].or_default("").matches("|".join(app.settings["open"]))
    ),
)
