# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# Reading assignments: of systemd, of environment files, of shell scripts. Each
# prints "=" and the value of the last one, also when that is empty: it takes
# back those before it. Nothing is printed where there is none.

# systemd_word TEXT NAME: of a list of systemd assignments, such as the property
# Environment: words, quoted where they hold spaces, with backslash escapes, or
# with those of $'…' where they hold control characters.
systemd_word() {
  printf '%s\n' "$1" | awk -v name="$2=" '
    {
      text = $0; word = ""; quote = ""; n = length(text)
      for (i = 1; i <= n + 1; i++) {
        c = i > n ? " " : substr(text, i, 1)
        if (c == "\\" && quote != "\047" && i < n) {
          c = substr(text, ++i, 1)
          if (quote == "$" && c == "n") c = "\n"
          if (quote == "$" && c == "t") c = "\t"
          word = word c
          continue
        }
        if (quote != "") {
          if ((c == quote || quote == "$" && c == "\047") && i <= n) quote = ""; else word = word c
          continue
        }
        if (c == "\"" || c == "\047") { quote = c; continue }
        if (c == "$" && substr(text, i + 1, 1) == "\047") { quote = "$"; i++; continue }
        if (c == " ") {
          if (index(word, name) == 1) { last = substr(word, length(name) + 1); set = 1 }
          word = ""
          continue
        }
        word = word c
      }
    }
    END { if (set) print "=" last }'
}

# file_word FILE NAME shell: of an environment file, as systemd reads it. With
# shell, of a shell script or its settings: "export" may stand before it, a word
# ends at a space, and a value that the shell would have to work out is none.
file_word() {
  [ -r "$1" ] && private_file "$1" && awk -v name="$2" -v shell="$3" '
    { text = text $0 "\n" }
    function store() {
      if (state == "value" && shell == "") sub(/[ \t]+$/, "", value)
      sub(/[ \t]+$/, "", key)
      if (shell != "") sub(/^export[ \t]+/, "", key)
      if (key == name && !worked_out) { last = value; set = 1 }
      key = value = ""; worked_out = 0; state = "start"
    }
    END {
      gsub(/\r/, "\n", text)
      state = "start"; n = length(text)
      for (i = 1; i <= n; i++) {
        c = substr(text, i, 1); next_c = substr(text, i + 1, 1)
        if (state == "start") {
          if (c ~ /[ \t\n]/) continue
          if (c == "#" || c == ";" && shell == "") { state = "comment"; continue }
          state = "key"; key = ""
        }
        if (state == "comment") { if (c == "\n") state = "start"; continue }
        if (state == "key") {
          if (c == "=") { state = "before"; value = "" }
          else if (c == "\n" || shell != "" && c == ";") state = "start"
          else key = key c
          continue
        }
        if (state == "single") { if (c == "\047") state = "before"; else value = value c; continue }
        if (shell != "" && (c == "$" || c == "`")) worked_out = 1
        if (state == "double") {
          if (c == "\"") state = "before"
          else if (c != "\\") value = value c
          else if (next_c == "\n") i++
          else if (index("\"\\`$", next_c)) { value = value next_c; i++ }
          else value = value c
          continue
        }
        # Neither in quotes nor in a comment.
        if (c == "\n" || shell != "" && c == ";") store()
        else if (shell != "" && c ~ /[ \t]/) store()
        else if (state == "before" && c ~ /[ \t]/) continue
        else if (c == "\\") { if (next_c != "\n") value = value next_c; i++; state = "value" }
        else if (c == "\047" && (state == "before" || shell != "")) state = "single"
        else if (c == "\"" && (state == "before" || shell != "")) state = "double"
        else { value = value c; state = "value" }
      }
      if (set) print "=" last
    }' "$1" 2>/dev/null
}

# file_words NAME FILE…: of the first of these shell files that has it.
file_words() {
  file_words_name=$1
  shift
  for file_words_file in "$@"; do
    file_words_value=$(file_word "$file_words_file" "$file_words_name" shell)
    if [ -n "$file_words_value" ]; then
      printf '%s\n' "$file_words_value"
      return
    fi
  done
}

home_of() {
  { getent passwd "$1" 2>/dev/null || grep "^$1:" /etc/passwd; } | sed 1q | cut -d: -f6
}
