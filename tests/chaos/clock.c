/* Preloaded into a worker: its wall clock is as many seconds ahead as the file CHAOS_CLOCK says.
   What waits until a time of that clock waits until then, as where the system's clock had jumped. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static long ahead(void)
{
    static volatile long *shared;
    static int opened;
    if (!opened) {
        const char *path = getenv("CHAOS_CLOCK");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0) {
            void *map = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
            if (map != MAP_FAILED)
                shared = map;
            close(fd);
        }
        opened = 1;
    }
    return shared ? *shared : 0;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, at);
    if (!done && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += ahead();
    return done;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}

int cnd_timedwait(cnd_t *restrict changed, mtx_t *restrict mutex, const struct timespec *restrict at)
{
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    struct timespec until = *at;
    if (!real)
        real = dlsym(RTLD_NEXT, "cnd_timedwait");
    until.tv_sec -= ahead();
    return real(changed, mutex, &until);
}
