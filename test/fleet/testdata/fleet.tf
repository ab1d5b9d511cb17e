terraform {
  required_providers {
    plex = { source = "homelab-iac/plex" }
  }
}

variable "hosts" {
  type = set(string)
}

variable "private_key_path" {
  type = string
}

variable "known_hosts_path" {
  type = string
}

variable "plextv_url" {
  type = string
}

variable "account_token" {
  type    = string
  default = null
}

variable "generation" {
  type    = string
  default = "1"
}

provider "plex" {
  plextv_url    = var.plextv_url
  account_token = var.account_token
  ssh = {
    user             = "admin"
    private_key_path = var.private_key_path
    known_hosts_path = var.known_hosts_path
    config_path      = "/dev/null"
  }
}

resource "plex_server_account_binding" "fleet" {
  for_each = var.hosts
  server = {
    ssh    = { host = each.key }
    become = true
  }
  triggers = { generation = var.generation }
}
