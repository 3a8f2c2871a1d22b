/* Initializes, imports, and finalizes, many times: `thousand_lives [N]`. The resident memory after the last life
   is within 1 MiB of that after the tenth. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

static long resident_kib(void)
{
    char text[128] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return atol(strchr(text, ' ') + 1) * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv)
{
    int lives = argc > 1 ? atoi(argv[1]) : 1000;
    long tenth = 0;
    for (int life = 1; life <= lives; life++) {
        begin();
        CHECK(PyRun_SimpleString("import json, re, collections\nassert json.loads('[1]') == [1]\n"
                                 "assert re.match('a+', 'aaa')[0] == 'aaa'\n") == 0);
        if (end() != 0)
            return 1;
        if (life == 10)
            tenth = resident_kib();
    }
    long last = resident_kib();
    printf("%d lives: %ld KiB after the tenth, %ld KiB after the last\n", lives, tenth, last);
    return lives > 10 && last - tenth > 1024;
}
