/* Writes to /dev/vda past the page cache, then reads it back, a piece at a time; marks on the console say when. */
#include "rt.h"
#define PIECE 1048576UL
#define BLOCK 4096UL
#ifndef PIECES
#define PIECES 512UL
#endif
static u8 buffer[PIECE] __attribute__((aligned(4096)));
static void say(const char*text){ u64 n=0; while(text[n]) n++; sys(64,1,(long)text,n); }
static void fail(void){ say("FAILED\n"); sys(93,1,0,0); }
static long openDisk(void){ long fd=sys(56,-100,(long)"/dev/vda",02|040000); if(fd<0) fail(); return fd; }
/* No two blocks are alike. */
static void stamp(u64 piece){ for(u64 at=0;at<PIECE;at+=BLOCK) *(u64*)(buffer+at)=piece*PIECE+at+1; }
u64 bench(void){
  for(u64 i=0;i<PIECE/8;i++) ((u64*)buffer)[i]=i*0x9E3779B97F4A7C15UL;
  long fd=openDisk();
  say("BEGIN-write\n");
  for(u64 piece=0;piece<PIECES;piece++){ stamp(piece); if(sys(64,fd,(long)buffer,PIECE)!=(long)PIECE) fail(); }
  if(sys(83,fd,0,0)!=0) fail();
  say("END-write\nBEGIN-read\n");
  if(sys(62,fd,0,0)!=0) fail();
  for(u64 piece=0;piece<PIECES;piece++){
    if(sys(63,fd,(long)buffer,PIECE)!=(long)PIECE) fail();
    for(u64 at=0;at<PIECE;at+=BLOCK) if(*(u64*)(buffer+at)!=piece*PIECE+at+1) fail();
  }
  say("END-read\n");
  return 0;
}
