/* SPDX-License-Identifier: PostgreSQL */
/* Feeds every file of the folders given (or the files given) to a fuzz target, and none at all once. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_SIZE = 4096 };

/* The copy on the heap has exactly the file's size, so that a sanitizer sees a read past its end. */
static bool replay_open_file(FILE *file, size_t size)
{
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (data == NULL)
        return false;
    bool is_read = fread(data, 1, size, file) == size;
    if (is_read)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return is_read;
}

static bool replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    bool is_replayed = replay_open_file(file, size);
    fclose(file);
    return is_replayed;
}

static bool replay_path(const char *path, unsigned *count);

static bool replay_folder(const char *path, unsigned *count)
{
    DIR *folder = opendir(path);
    bool is_replayed = folder != NULL;
    struct dirent *entry;
    while (is_replayed && (entry = readdir(folder)) != NULL) {
        char inner[PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        int size = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        is_replayed = size > 0 && size < PATH_SIZE && replay_path(inner, count);
    }
    if (folder != NULL)
        closedir(folder);
    return is_replayed;
}

static bool replay_path(const char *path, unsigned *count)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    if (S_ISDIR(status.st_mode))
        return replay_folder(path, count);
    (*count)++;
    return replay_file(path, (size_t)status.st_size);
}

int main(int argument_count, char **arguments)
{
    unsigned count = 0;
    LLVMFuzzerTestOneInput(NULL, 0);
    for (int i = 1; i < argument_count; i++) {
        if (!replay_path(arguments[i], &count)) {
            fprintf(stderr, "%s: cannot be read\n", arguments[i]);
            return EXIT_FAILURE;
        }
    }
    printf("%u inputs replayed\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
