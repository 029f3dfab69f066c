variable "disabled" {
  type    = bool
  default = false
}

variable "kept" {
  type    = number
  default = 5
}

resource "harbor_project" "ruled" {
  name = "ruled"
}

resource "harbor_immutable_tag_rule" "releases" {
  project_id     = harbor_project.ruled.id
  disabled       = var.disabled
  repo_matching  = "**"
  tag_excluding  = "{latest,dev-*}"
}

resource "harbor_retention_policy" "kept" {
  scope    = harbor_project.ruled.id
  schedule = "Daily"

  rule {
    most_recently_pushed = var.kept
    repo_matching        = "**"
    tag_matching         = "v*"
    untagged_artifacts   = false
  }
  rule {
    n_days_since_last_pull = 30
    repo_excluding         = "scratch/**"
    tag_matching           = "**"
  }
  rule {
    always_retain = true
    repo_matching = "base/**"
    tag_excluding = "dev-*"
  }
}
