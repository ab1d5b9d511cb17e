terraform {
  required_providers {
    plex = {
      source = "homelab-iac/plex"
    }
  }
}

variable "plextv_url" {
  description = "Where plex.tv is; here the emulator."
  type        = string
}

variable "plexsim" {
  description = "The emulator's program, which also stops and starts the server."
  type        = string
}

variable "support_dir" {
  description = "Directory of the server, above its data directory."
  type        = string
}

variable "url" {
  description = "Where the server listens."
  type        = string
}

variable "account" {
  description = "Who must own the server."
  type        = string
}

# The account token comes from PLEX_TOKEN, so that it is in no file and in no argument.
provider "plex" {
  plextv_url = var.plextv_url
}

resource "plex_server_account_binding" "den" {
  server = {
    preferences_path = "${var.support_dir}/Plex Media Server/Preferences.xml"
    url              = var.url
    commands = {
      stop   = "'${var.plexsim}' stop '${var.support_dir}'"
      start  = "'${var.plexsim}' start '${var.support_dir}'"
      status = "'${var.plexsim}' status '${var.support_dir}'"
    }
  }
  account = var.account
}

output "bound_to" {
  value = plex_server_account_binding.den.username
}

output "token_fingerprint" {
  value = plex_server_account_binding.den.token_fingerprint
}
