terraform {
  required_providers {
    harbor = {
      source = "goharbor/harbor"
    }
  }
}

# Address, name and password come from the environment.
provider "harbor" {}
