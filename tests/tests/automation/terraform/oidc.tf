resource "harbor_config_auth" "provider" {
  auth_mode          = "oidc_auth"
  primary_auth_mode  = true
  oidc_name          = "company"
  oidc_endpoint      = "https://login.example.org"
  oidc_client_id     = "registry"
  oidc_client_secret = "A-Secret-1"
  oidc_groups_claim  = "groups"
  oidc_scope         = "openid,email"
  oidc_verify_cert   = true
  oidc_auto_onboard  = true
  oidc_user_claim    = "email"
  oidc_admin_group   = "admins"
}

resource "harbor_group" "team" {
  group_name = "team"
  group_type = 3
  depends_on = [harbor_config_auth.provider]
}

resource "harbor_project" "written" {
  name = "written"
}

resource "harbor_project_member_group" "team" {
  project_id = harbor_project.written.id
  group_name = harbor_group.team.group_name
  type       = "oidc"
  role       = "developer"
}

data "harbor_groups" "team" {
  group_name = harbor_group.team.group_name
}

data "harbor_project_member_groups" "all" {
  project_id = harbor_project.written.id
  depends_on = [harbor_project_member_group.team]
}

output "found" {
  value = [
    data.harbor_groups.team.groups[0].group_type,
    data.harbor_project_member_groups.all.project_member_groups[0].role,
  ]
}
