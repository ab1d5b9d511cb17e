variable "hosts" {
  type = set(string)
}

variable "private_key_path" {
  type = string
}

variable "host_key" {
  type = string
}

variable "script_path" {
  type = string
}

resource "terraform_data" "unbind" {
  for_each = var.hosts

  connection {
    type        = "ssh"
    host        = each.key
    user        = "admin"
    private_key = file(var.private_key_path)
    host_key    = var.host_key
    agent       = false
  }

  provisioner "remote-exec" {
    inline = ["sudo sh -e <<'END'\n${file(var.script_path)}\nEND"]
  }
}
