variable "public" {
  type    = bool
  default = false
}

variable "role" {
  type    = string
  default = "maintainer"
}

variable "expiration" {
  type    = number
  default = 45
}

resource "harbor_project" "written" {
  name                   = "written"
  public                 = var.public
  vulnerability_scanning = true
}

resource "harbor_user" "writer" {
  username  = "writer"
  password  = "Correct1Horse"
  full_name = "A Writer"
  email     = "writer@example.org"
}

resource "harbor_project_member_user" "writer" {
  project_id = harbor_project.written.id
  user_name  = harbor_user.writer.username
  role       = var.role
}

resource "harbor_robot_account" "project" {
  name        = "written"
  description = "of a project"
  level       = "project"
  duration    = 30

  permissions {
    kind      = "project"
    namespace = harbor_project.written.name

    access {
      resource = "repository"
      action   = "pull"
    }
    access {
      resource = "repository"
      action   = "push"
    }
  }
}

resource "harbor_robot_account" "system" {
  name   = "written-system"
  level  = "system"
  secret = "Chosen1Secret"

  permissions {
    kind      = "system"
    namespace = "/"

    access {
      resource = "user"
      action   = "list"
    }
  }

  permissions {
    kind      = "project"
    namespace = "*"

    access {
      resource = "repository"
      action   = "pull"
    }
  }
}

resource "harbor_config_system" "all" {
  project_creation_restriction = "adminonly"
  robot_token_expiration       = 60
  token_expiration             = var.expiration
  session_timeout              = 30
  storage_per_project          = 7

  banner_message {
    message = "written down"
    type    = "warning"
  }
}

data "harbor_projects" "all" {
  name       = harbor_project.written.name
  depends_on = [harbor_project_member_user.writer]
}

data "harbor_users" "writer" {
  username = harbor_user.writer.username
}

data "harbor_robot_accounts" "system" {
  level      = "system"
  depends_on = [harbor_robot_account.system]
}

data "harbor_project_member_users" "all" {
  project_id = harbor_project.written.id
  depends_on = [harbor_project_member_user.writer]
}

output "found" {
  value = [
    data.harbor_users.writer.users[0].full_name,
    data.harbor_robot_accounts.system.robot_accounts[0].name,
    join(" ", sort(data.harbor_project_member_users.all.project_member_users[*].user_name)),
  ]
}
