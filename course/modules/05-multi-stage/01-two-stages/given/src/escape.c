#include <stdio.h>

void escape(int sign)
{
    if (sign == '<')
        printf("&lt;");
    else if (sign == '&')
        printf("&amp;");
    else
        putchar(sign);
}
