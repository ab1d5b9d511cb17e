/*
 * A library for LD_PRELOAD that makes one system call fail with EIO for the files
 * below one directory. IOERROR says which: "fsync:/path/", "rename:/path/" or
 * "write:/path/". What is renamed is judged by where it goes to.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(const char *call, const char *path) {
  const char *rule = getenv("IOERROR");
  size_t length = strlen(call);
  if (rule == NULL || path == NULL || strncmp(rule, call, length) != 0 || rule[length] != ':') return 0;
  rule += length + 1;
  return strncmp(path, rule, strlen(rule)) == 0;
}

static int fails_at(const char *call, int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = '\0';
  return fails(call, path);
}

#define FAIL do { errno = EIO; return -1; } while (0)
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int fd) {
  if (fails_at("fsync", fd)) FAIL;
  return NEXT(fsync)(fd);
}

int fdatasync(int fd) {
  if (fails_at("fsync", fd)) FAIL;
  return NEXT(fdatasync)(fd);
}

ssize_t write(int fd, const void *data, size_t length) {
  if (fails_at("write", fd)) FAIL;
  return NEXT(write)(fd, data, length);
}

int rename(const char *from, const char *to) {
  if (fails("rename", to)) FAIL;
  return NEXT(rename)(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
  if (fails("rename", to)) FAIL;
  return NEXT(renameat)(from_dir, from, to_dir, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
  if (fails("rename", to)) FAIL;
  return NEXT(renameat2)(from_dir, from, to_dir, to, flags);
}
