#!/bin/sh
# Makes the clips of this folder with ffmpeg (libvpx, libaom, libx264, libopus). See README.md.
set -eu
cd "$(dirname "$0")"

seconds=3
rate=24
# A test picture that moves, and a counter of frames to see whether any are missing.
picture="testsrc=size=320x240:rate=$rate:duration=$seconds,format=yuv420p"
tone="sine=frequency=440:beep_factor=2:sample_rate=48000:duration=$seconds"
# The same bytes at every run of the same version: no dates, no version strings, no threads that race.
exact="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1"

make() {
    out=$1
    source=$2
    shift 2
    # shellcheck disable=SC2086
    ffmpeg -v error -y -f lavfi -i "$source" "$@" -threads 1 $exact "$out"
    echo "$out $(wc -c <"$out") bytes"
}

# A keyframe each second, none that the encoder adds, and no frame that is shown out of order.
make bars.vp8.ivf "$picture" -c:v libvpx -b:v 200k -g $rate -keyint_min $rate \
    -deadline good -cpu-used 2 -auto-alt-ref 0 -lag-in-frames 0
make bars.vp9.ivf "$picture" -c:v libvpx-vp9 -b:v 200k -g $rate -keyint_min $rate \
    -deadline good -cpu-used 2 -auto-alt-ref 0 -lag-in-frames 0
make bars.av1.ivf "$picture" -c:v libaom-av1 -b:v 200k -g $rate -keyint_min $rate \
    -usage realtime -cpu-used 6 -lag-in-frames 0
# Constrained baseline, with the parameter sets before each keyframe.
make bars.h264 "$picture" -c:v libx264 -profile:v baseline -level 3.1 -b:v 200k \
    -g $rate -keyint_min $rate -sc_threshold 0 -bf 0 \
    -x264-params "repeat-headers=1:aud=1:slices=1" -bsf:v filter_units=remove_types=6 -f h264
# 20 ms a packet, as a browser sends.
make tone.opus.ogg "$tone" -c:a libopus -b:a 32k -frame_duration 20 -ac 2 -f ogg
