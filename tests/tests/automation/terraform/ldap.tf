variable "uid" {
  type    = string
  default = "uid"
}

resource "harbor_config_auth" "directory" {
  auth_mode             = "ldap_auth"
  ldap_url              = "ldaps://directory.example.org"
  ldap_search_dn        = "cn=reader,dc=example,dc=org"
  ldap_search_password  = "A-Secret-1"
  ldap_base_dn          = "dc=example,dc=org"
  ldap_filter           = "(objectClass=person)"
  ldap_uid              = var.uid
  ldap_scope            = "onelevel"
  ldap_verify_cert      = true
  ldap_group_base_dn    = "ou=groups,dc=example,dc=org"
  ldap_group_filter     = "(objectClass=groupOfNames)"
  ldap_group_gid        = "cn"
  ldap_group_admin_dn   = "cn=admins,ou=groups,dc=example,dc=org"
  ldap_group_membership = "memberof"
}
