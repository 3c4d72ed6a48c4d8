// `docker`, for a test: tells fake_engine.py its words and its process, which then acts in its place on 4, 5 and 6.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char** words) {
  for (int file = 0; file < 3; ++file) dup2(file, file + 4);
  const int engine = socket(AF_INET, SOCK_STREAM, 0);
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(engine, (const struct sockaddr*)&address, sizeof address) != 0) return 125;
  FILE* said = fdopen(engine, "r+");
  fprintf(said, "%s%c%d%c%d%c", getenv("FAKE_ENGINE"), 0, (int)getpid(), 0, count - 1, 0);
  for (int i = 1; i < count; ++i) fwrite(words[i], 1, strlen(words[i]) + 1, said);
  fflush(said);
  char code[8] = "125";
  return fgets(code, sizeof code, said) == NULL ? 125 : atoi(code);
}
