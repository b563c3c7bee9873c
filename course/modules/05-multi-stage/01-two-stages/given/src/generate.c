#include <stdio.h>

void escape(int sign);

int main(int count, char **words)
{
    FILE *page = fopen(words[1], "r");
    int sign;
    if (page == NULL)
        return 1;
    puts("<!DOCTYPE html>\n<title>Station</title>\n<pre>");
    while ((sign = fgetc(page)) != EOF)
        escape(sign);
    puts("</pre>");
    return 0;
}
