variable "color" {
  type    = string
  default = "#0065AB"
}

variable "quota" {
  type    = number
  default = 5
}

variable "schedule" {
  type    = string
  default = "Weekly"
}

variable "hours" {
  type    = number
  default = 720
}

resource "harbor_project" "kept" {
  name                = "kept"
  storage_quota       = var.quota
  cve_allowlist       = ["CVE-2024-0001", "CVE-2024-0002"]
  deployment_security = "high"
  force_destroy       = true
}

resource "harbor_label" "everywhere" {
  name        = "stable"
  description = "it runs"
  color       = var.color
}

resource "harbor_label" "ours" {
  name       = "ours"
  project_id = harbor_project.kept.id
}

resource "harbor_garbage_collection" "regular" {
  schedule        = var.schedule
  delete_untagged = true
  workers         = 3
}

resource "harbor_purge_audit_log" "regular" {
  schedule             = var.schedule
  audit_retention_hour = var.hours
  include_event_types  = "create_artifact,delete_artifact,pull_artifact"
}

resource "harbor_config_security" "allowed" {
  cve_allowlist = ["CVE-2024-0003"]
  expires_at    = 1999999999
}

data "harbor_project" "kept" {
  name       = harbor_project.kept.name
  depends_on = [harbor_project.kept]
}

output "project" {
  value = data.harbor_project.kept.project_id == harbor_project.kept.project_id
}
